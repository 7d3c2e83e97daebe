//! One plot per figure: a bar per server, a whisker from the lowest to the highest run.

use super::{Case, Figure, Runs, Spread, table::number};
use std::fmt::Write;

const NAMES: f64 = 170.0;
const BARS: f64 = 430.0;
const NUMBERS: f64 = 80.0;
const ROW: f64 = 26.0;
const TOP: f64 = 56.0;

/// Follows the reader's colour scheme, since the image stands in pages of either.
const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.about{fill:#59636e}\
.bar{fill:#8c959f}.rooms{fill:#0969da}.floor{fill:#d0d7de}.whisker{stroke:#1f2328}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.about{fill:#9198a1}.bar{fill:#6e7681}\
.rooms{fill:#4493f8}.floor{fill:#3d444d}.whisker{stroke:#f0f6fc}}";

/// Draws one figure of one case as an SVG image; `None` when no run has it.
pub fn plot(runs: &Runs, case: &Case, figure: &Figure) -> Option<String> {
    let bars: Vec<(&str, Spread)> = runs
        .servers()
        .into_iter()
        .filter_map(|server| Some((server, runs.spread(case.name, server, figure.key)?)))
        .collect();
    let most = bars
        .iter()
        .map(|(_, spread)| spread.max)
        .fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let x = |value: f64| NAMES + BARS * value.max(0.0) / most;
    let (width, height) = (NAMES + BARS + NUMBERS, TOP + ROW * bars.len() as f64 + 8.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\">\
         <title>{title}</title><style>{STYLE}</style>\n\
         <text class=\"title\" x=\"8\" y=\"20\">{title}</text>\
         <text class=\"about\" x=\"8\" y=\"40\">{about}; median of {count} runs, {better} is better</text>\n",
        title = figure.label,
        about = case.about,
        better = if figure.more { "more" } else { "less" },
        count = bars
            .iter()
            .map(|(_, spread)| spread.count)
            .min()
            .unwrap_or(0),
    );
    for (i, (server, spread)) in bars.iter().enumerate() {
        let y = TOP + ROW * i as f64;
        let middle = y + ROW / 2.0;
        let class = match *server {
            name if name.starts_with("rooms") => "rooms",
            name if name.starts_with("floor") => "floor",
            _ => "bar",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            svg,
            "<text x=\"{name_end:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\">{server}</text>\
             <rect class=\"{class}\" x=\"{NAMES}\" y=\"{bar_top:.1}\" width=\"{bar:.1}\" height=\"{bar_height}\"/>\
             <line class=\"whisker\" x1=\"{low:.1}\" x2=\"{high:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>\
             <text x=\"{number_start:.1}\" y=\"{baseline:.1}\">{median}</text>",
            name_end = NAMES - 8.0,
            baseline = middle + 4.5,
            bar_top = y + 4.0,
            bar = x(spread.median) - NAMES,
            bar_height = ROW - 8.0,
            low = x(spread.min),
            high = x(spread.max),
            number_start = x(spread.max) + 8.0,
            median = number(spread.median),
        );
    }
    svg.push_str("</svg>\n");
    Some(svg)
}

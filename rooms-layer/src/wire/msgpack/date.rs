//! Moments as JavaScript writes them.

const MS_PER_DAY: i64 = 86_400_000;
/// The last moment of a `Date` (ECMA-262, section 21.4.1.1): 100 million days from 1970 in either direction.
const LAST_MS: i64 = 100_000_000 * MS_PER_DAY;

/// Writes a moment in milliseconds since 1970 as `Date.prototype.toJSON` does: ISO 8601 in UTC, with milliseconds. `None` beyond the
/// range of a `Date`, where that is `null`.
pub(super) fn iso_8601(ms: i64) -> Option<String> {
    if !(-LAST_MS..=LAST_MS).contains(&ms) {
        return None;
    }
    let (year, month, day) = civil(ms.div_euclid(MS_PER_DAY));
    let ms = ms.rem_euclid(MS_PER_DAY);
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1_000 % 60, ms % 1_000);
    // ECMA-262, section 21.4.1.32: other years have a sign and six digits.
    let year = match year {
        0..=9999 => format!("{year:04}"),
        year => format!("{year:+07}"),
    };
    Some(format!(
        "{year}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z"
    ))
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar, which repeats after 400 years.
///
/// Years are counted from March here, so that the leap day is the last of its year, and months have 153 days in every five.
fn civil(day: i64) -> (i64, i64, i64) {
    const DAYS_IN_ERA: i64 = 146_097;
    /// From 0000-03-01 to 1970-01-01.
    const TO_1970: i64 = 719_468;

    let day = day + TO_1970;
    let era = day.div_euclid(DAYS_IN_ERA);
    let day = day.rem_euclid(DAYS_IN_ERA);
    let leap_days = day / 1_460 - day / 36_524 + day / 146_096;
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (400 * era + year + next_year, month, day)
}

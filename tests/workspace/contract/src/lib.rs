//! What travels between a dashboard's pages and its servers.

use rooms_layer::{Error, prelude::*};
use serde::{Deserialize, Serialize};

#[derive(RoomKey, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PanelId(pub u32);

#[derive(Room, Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// Those who look at a panel.
    Panel(PanelId),
    /// The windows of one person.
    User(String),
}

/// A page shows a panel from now on.
#[derive(Event)]
#[event(ack = Result<f64, DashboardError>)]
pub struct Watch(pub PanelId);

/// A person writes, which their other windows show.
#[derive(Event, Serialize, Deserialize)]
#[event(to(Room::User))]
pub struct Draft<'a> {
    pub text: &'a str,
}

/// A panel has a new value. It knows its room.
#[derive(Event, Serialize, Deserialize, Debug, PartialEq)]
#[event(to(Room::Panel(panel)))]
pub struct Changed {
    pub panel: PanelId,
    pub value: f64,
}

/// Everyone is told to load the page again.
#[derive(Event)]
#[event(broadcast)]
pub struct Reload;

#[derive(Serialize, Deserialize, Debug, PartialEq)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum DashboardError {
    NoSuchPanel,
    Internal { message: String },
}

impl From<Error> for DashboardError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        DashboardError::Internal { message }
    }
}

/// What a page says when it connects.
#[derive(Serialize, Deserialize)]
pub struct SignIn {
    pub name: String,
}

#[derive(Namespace)]
#[namespace(path = "/dashboard", auth = SignIn, rooms(Room))]
#[namespace(client(Watch, Draft<'_>), server(Changed, Draft<'_>, Reload))]
pub struct Dashboard;

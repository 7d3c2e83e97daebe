//! Doors of the macros.

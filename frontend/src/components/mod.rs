//! What pages are made of. A component is given data; a page fetches it.

pub mod avatar;
pub mod dialog;
pub mod disconnect_dialog;
pub mod field;
pub mod form;
pub mod icon;
pub mod instagram_connection_card;
pub mod instagram_profile;
pub mod menu;
pub mod page_heading;
pub mod person_menu;
pub mod problem_notice;
pub mod status_badge;
pub mod step_list;
pub mod theme_switch;
pub mod toast;

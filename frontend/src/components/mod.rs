//! What pages are made of. A component is given data; a page fetches it.

pub mod account_card;
pub mod avatar;
pub mod choices;
pub mod confirm_dialog;
pub mod dialog;
pub mod disconnect_dialog;
pub mod entry_list;
pub mod event_list;
pub mod field;
pub mod followers_plot;
pub mod form;
pub mod icon;
pub mod instagram_card;
pub mod instagram_connection_card;
pub mod instagram_profile;
pub mod menu;
pub mod moment;
pub mod page_heading;
pub mod part;
pub mod permission_list;
pub mod person_menu;
pub mod problem_notice;
pub mod status_badge;
pub mod step_list;
pub mod theme_switch;
pub mod toast;

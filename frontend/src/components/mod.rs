//! Components of any page. A component is given data; a page fetches it. A component for connections is
//! beside its page.

pub mod avatar;
pub mod badge;
pub mod card;
pub mod choices;
pub mod confirm_dialog;
pub mod dialog;
pub mod docs_link;
pub mod entry_list;
pub mod field;
pub mod form;
pub mod icon;
pub mod menu;
pub mod moment;
pub mod page_heading;
pub mod part;
pub mod person_menu;
pub mod theme_switch;
pub mod toast;

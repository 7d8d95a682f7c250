//! `/sign-up`.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ErrorCode, validation};

use crate::address::Address;
use crate::api;
use crate::components::field::{Field, FieldKind, FieldState};
use crate::components::form::{self, Form, FormState};
use crate::components::page_heading::PageHeading;
use crate::session::{Session, leave_when_signed_in};

/// Makes an account, signs in, then on to where the visitor was going.
#[component]
pub fn SignUp() -> impl IntoView {
    leave_when_signed_in();
    let session = Session::expect();
    let address = Address::expect();
    let name = FieldState::new(|text| validation::name(text.trim()));
    let email = FieldState::new(validation::email);
    let password = FieldState::new(validation::password);
    let state = RwSignal::new(FormState::Ready);

    let submit = move || {
        let body = shared::SignUp {
            email: email.text().trim().to_owned(),
            password: password.text().into(),
            name: Some(name.text().trim().to_owned()).filter(|name| !name.is_empty()),
        };
        state.set(FormState::Busy);
        spawn_local(async move {
            match api::sign_up(&body).await {
                Ok(user) => session.signed_in(user),
                Err(failure) if failure.code() == Some(ErrorCode::EmailTaken) => {
                    email.refuse("This email has an account already. Sign in instead, or use another");
                    form::lead_to_mistake(state);
                }
                Err(failure) => {
                    let fields = [("name", name), ("email", email), ("password", password)];
                    form::refuse(state, &failure, &fields);
                }
            }
        });
    };

    view! {
        <div class="page page-narrow">
            <PageHeading title="Create an account" />
            <Form
                state
                fields=vec![name, email, password]
                action="Create account"
                busy="Creating account…"
                on_submit=submit
            >
                <Field state=name id="name" label="Name (optional)" kind=FieldKind::Text autocomplete="name" />
                <Field state=email id="email" label="Email" kind=FieldKind::Email autocomplete="email" />
                <Field
                    state=password
                    id="password"
                    label="Password"
                    kind=FieldKind::Password
                    autocomplete="new-password"
                    hint="At least 10 characters"
                />
            </Form>
            <p class="form-aside">
                "Have an account? "
                <a href=move || format!("/sign-in{}", address.search())>"Sign in"</a>
            </p>
        </div>
    }
}

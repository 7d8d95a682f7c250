//! `/sign-in`.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::{ErrorCode, validation};

use crate::address::Address;
use crate::api::{self, ApiFailure};
use crate::components::field::{Field, FieldKind, FieldState};
use crate::components::form::{Form, FormState};
use crate::components::page_heading::PageHeading;
use crate::problem;
use crate::session::{Session, leave_when_signed_in};

/// Email and password, then on to where the visitor was going.
#[component]
pub fn SignIn() -> impl IntoView {
    leave_when_signed_in();
    let session = Session::expect();
    let address = Address::expect();
    let email = FieldState::new(validation::email);
    let password = FieldState::new(validation::present_password);
    let form = RwSignal::new(FormState::Ready);

    let submit = move || {
        let body = shared::SignIn { email: email.text().trim().to_owned(), password: password.text().into() };
        form.set(FormState::Busy);
        spawn_local(async move {
            match api::sign_in(&body).await {
                Ok(user) => session.signed_in(user),
                Err(failure) => {
                    form.try_set(FormState::Refused(refusal(&failure)));
                }
            }
        });
    };

    view! {
        <div class="page page-narrow">
            <PageHeading title="Sign in" />
            <Form state=form fields=vec![email, password] action="Sign in" busy="Signing in…" on_submit=submit>
                <Field state=email id="email" label="Email" kind=FieldKind::Email autocomplete="email" />
                <Field
                    state=password
                    id="password"
                    label="Password"
                    kind=FieldKind::Password
                    autocomplete="current-password"
                />
            </Form>
            <p class="form-aside">
                "New here? "
                <a href=move || format!("/sign-up{}", address.search())>"Create an account"</a>
            </p>
        </div>
    }
}

fn refusal(failure: &ApiFailure) -> String {
    match failure.code() {
        Some(ErrorCode::InvalidCredentials) => "Email or password is wrong.".to_owned(),
        _ => problem::sentence(failure),
    }
}

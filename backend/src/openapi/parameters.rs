//! Parameters that many routes share.

use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

/// The user whom a path names.
pub(crate) struct UserId;

impl IntoParams for UserId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(shared::validation::HOST_USER_ID_MAX))
            .examples(["me"]);
        let about = "Whose connection: `me` for the caller's own, else the user's id. A service key names a user of the \
                     host application by the host's own id, and has no `me`.";
        let parameter = ParameterBuilder::new()
            .name("userId")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(schema));
        vec![parameter.build()]
    }
}

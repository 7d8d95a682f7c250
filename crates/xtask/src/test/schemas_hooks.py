"""What schemathesis cannot know of the API: which user ids lead anywhere."""

import os

import schemathesis


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Lets half of the requests be about a user who has a connection; the others are about nobody."""
    user = (path_parameters or {}).get("userId")
    if isinstance(user, str) and len(user) % 2 == 0:
        return {**path_parameters, "userId": os.environ["USER_ID"]}
    return path_parameters

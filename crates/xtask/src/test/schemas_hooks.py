"""What schemathesis cannot know of the API: which user ids lead anywhere."""

import os

import schemathesis

# The longest id of a user, as the document has it.
LONGEST = 200


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Lets half of the requests be about a user who has a connection; the others are about nobody."""
    user = (path_parameters or {}).get("userId")
    # One that is too long is there to be refused.
    if isinstance(user, str) and len(user) <= LONGEST and len(user) % 2 == 0:
        return {**path_parameters, "userId": os.environ["USER_ID"]}
    return path_parameters

import os

from zoom_user_status import *

oauth = {name: value for name, value in os.environ.items() if name != "ZOOM_ACCESS_TOKEN"}
with Client.from_env(oauth) as zoom:
    PAGE

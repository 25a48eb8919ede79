from zoom_user_status import *

with Client.from_env() as zoom:
    PAGE

"""How the admin writes times: to the second and in the order of the other pages; a timeline needs both."""

DATETIME_FORMAT = "j M Y, H:i:s"
DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s"

"""Reading settings from the environment and from `.env`, with a sentence for each that makes no sense.

Never loads Django's settings or an app, because the settings are made with it; never shows a password.
"""

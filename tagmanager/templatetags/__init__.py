"""What templates ask about tags and previews.

Never: a call to Zendesk.
"""

"""What the demo account holds besides tickets: fields, macros, people, rules, views, sample data.

Never: HTTP.
"""

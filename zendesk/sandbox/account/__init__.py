"""What the demo account holds besides tickets: fields, macros, people, rules, views, words.

Never: HTTP.
"""

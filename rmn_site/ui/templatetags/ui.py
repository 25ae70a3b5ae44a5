"""Template tags and filters of the product: `{% load ui %}`.

Every tag takes plain values, so that the views of an app need to import nothing from here. templates/ui holds the
markup, rmn_site/ui/formats.py and drawings.py the arithmetic, rmn_site/ui/tags the tags.
"""

from django import template

from rmn_site.ui.tags import addresses, figures, forms, framing, icons, states

register = template.Library()

for _module in (icons, figures, states, addresses, forms, framing):
    register.tags.update(_module.register.tags)
    register.filters.update(_module.register.filters)

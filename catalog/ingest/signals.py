"""What the rest of the installation may listen to. Receivers get ``shop_id``, after the commit."""

from django.dispatch import Signal

# Texts of a shop's products or articles changed: rows whose ``embedded_digest`` differs from ``text_digest`` are stale.
texts_changed = Signal()

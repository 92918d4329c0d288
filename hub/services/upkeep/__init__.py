"""Keeping the hub sound: finding what cannot be, collecting what nobody needs, counting."""

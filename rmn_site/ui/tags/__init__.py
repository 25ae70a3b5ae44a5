"""The tags and filters of `{% load ui %}`, a module for each kind."""

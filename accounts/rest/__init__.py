"""What every part of the API shares: who asks, how often, how lists are paged, how errors and bodies look.

The one room of this app besides services, selectors, models and core that other apps may enter.
"""

"""The servers and processes of one machine: PostgreSQL, Valkey, web, workers, beat.

Pure Python, no Django: settings may import `paths` without anything being started, and `python -m rmn_site.local`
can bring the servers up before Django needs them.
"""

"""What a job is, told without a database: states, handlers, planner tools, progress."""

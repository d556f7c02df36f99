"""The process that owns torch, and the processes of jobs: nothing heavy is imported here."""

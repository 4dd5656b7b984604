"""What a process takes from its machine: time, secrets, a thread for jobs, and the company of other workers."""

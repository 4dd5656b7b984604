"""What passes over the wire: requests, refusals, answers, bodies, endpoints."""

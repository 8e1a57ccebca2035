"""One plain function per DAG task: (portfolio, business_date) -> small summary."""

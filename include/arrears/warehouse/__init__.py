"""The PostgreSQL warehouse: tables, migrations, BI views and roles, staging and the publish transaction."""

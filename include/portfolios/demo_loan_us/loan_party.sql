-- Who stands in which role to which loan by the close.
SELECT
    loan_id,
    party_id,
    role_code,
    is_obligor,
    source_file,
    source_line
FROM loan_party

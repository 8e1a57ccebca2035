-- Grain: set of product@residence that contacts which are replayed may have been about; its name and its members.
-- Inputs: contact_replay.
SELECT DISTINCT
    ARRAY_TO_STRING(products, '|') AS book,
    products
FROM contact_replay
ORDER BY book

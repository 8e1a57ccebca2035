-- The portfolio's newest publication: until there is another, no figure of its dates moves.
-- Grain: one row.
SELECT MAX(sequence) AS newest
FROM bi.publication
WHERE portfolio = $portfolio

-- The portfolio of the newest publication.
-- Grain: one row; none when nothing of these portfolios is published.
SELECT portfolio
FROM bi.publication
WHERE portfolio = ANY($portfolios)
ORDER BY published_at DESC, portfolio ASC
LIMIT 1

-- Calendar without gaps, 2010 to 2049.
-- Grain: one row per date.
-- date_on: The date
-- year_number: Year
-- quarter_number: Quarter, 1 to 4
-- month_number: Month, 1 to 12
-- month_on: First day of its month
-- is_month_end: Whether it is its month's last day
-- iso_year: Year of the ISO week
-- iso_week: ISO week, 1 to 53
-- weekday_number: Day of the week, 1 Monday to 7 Sunday
-- is_weekend: Saturday or Sunday
-- month_name: English name of the month
-- weekday_name: English name of the day
-- weekday_name_zh: Chinese name of the day
SELECT
    one_day::date AS date_on,
    EXTRACT(YEAR FROM one_day)::integer AS year_number,
    EXTRACT(QUARTER FROM one_day)::integer AS quarter_number,
    EXTRACT(MONTH FROM one_day)::integer AS month_number,
    DATE_TRUNC('month', one_day)::date AS month_on,
    EXTRACT(DAY FROM one_day + interval '1 day') = 1 AS is_month_end,
    EXTRACT(ISOYEAR FROM one_day)::integer AS iso_year,
    EXTRACT(WEEK FROM one_day)::integer AS iso_week,
    EXTRACT(ISODOW FROM one_day)::integer AS weekday_number,
    EXTRACT(ISODOW FROM one_day) > 5 AS is_weekend,
    TO_CHAR(one_day, 'FMMonth') AS month_name,
    TO_CHAR(one_day, 'FMDay') AS weekday_name,
    '星期' || SUBSTRING('一二三四五六日', EXTRACT(ISODOW FROM one_day)::integer, 1) AS weekday_name_zh
FROM GENERATE_SERIES(date '2010-01-01', date '2049-12-31', interval '1 day') AS one_day

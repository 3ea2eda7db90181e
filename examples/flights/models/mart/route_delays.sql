-- @kind: table
-- @description: delays a route and airline
SELECT
    f.route || '-' || f.carrier AS route,
    a.name AS airline,
    count(*) AS flights,
    round(avg(f.arr_delay), 2)::DECIMAL(10, 2) AS average_delay,
    sum(f.distance)::BIGINT AS miles
FROM staging.flights f
JOIN raw.airlines a USING (carrier)
GROUP BY ALL

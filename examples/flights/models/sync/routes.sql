-- @kind: merge
-- @unique_key: route
-- @sink: flights_api
-- @description: what the partner gets: only rows that changed since the last run
SELECT route, airline, flights, average_delay
FROM mart.route_delays
WHERE flights >= 10

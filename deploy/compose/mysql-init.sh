#!/bin/bash
# Run by the mysql image once, on an empty volume: Temporal's databases and its user, beside the relay's own, which the
# image makes. Neither user can read the other's data.
set -euo pipefail

mysql --protocol=socket --user=root --password="$MYSQL_ROOT_PASSWORD" <<SQL
CREATE DATABASE temporal CHARACTER SET utf8mb4;
CREATE DATABASE temporal_visibility CHARACTER SET utf8mb4;
CREATE USER 'temporal'@'%' IDENTIFIED BY '$TEMPORAL_MYSQL_PASSWORD';
GRANT ALL PRIVILEGES ON temporal.* TO 'temporal'@'%';
GRANT ALL PRIVILEGES ON temporal_visibility.* TO 'temporal'@'%';
SQL

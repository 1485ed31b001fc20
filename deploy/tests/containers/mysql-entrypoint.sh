#!/bin/bash
# Does what the entry point of the image mysql documents, as far as docker-compose.temporal.yml uses it: MYSQL_ROOT_PASSWORD on an empty volume.
set -euo pipefail
data=/var/lib/mysql
[ "${1-}" = mysqld ] || exec "$@"
shift
options=(--no-defaults --user=mysql --datadir="$data" --socket=/tmp/mysql.sock --mysqlx=OFF --lc-messages-dir=/usr/share/mysql --secure-file-priv=)
if [ ! -d "$data/mysql" ]; then
	chown mysql:mysql "$data"
	mysqld "${options[@]}" --initialize-insecure
	cat >/tmp/first.sql <<-SQL
		ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
		CREATE USER 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
		GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;
	SQL
	options+=(--init-file=/tmp/first.sql)
fi
exec mysqld "${options[@]}" "$@"

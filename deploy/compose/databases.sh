#!/bin/sh
# Creates the databases and users of the relay and of Temporal, with the passwords of .env, before anything else uses them. It runs on
# each start, so that a changed password is applied. Neither user can read the other's data.
set -eu
cd "$(dirname "$0")/.."
say() { echo "databases: $*" >&2; }

# Other containers read their files as users that the checkout may lock out: a clone under umask 027 or 077.
unreadable=$(find . ! -perm -004 -o -type d ! -perm -001)
if [ -n "$unreadable" ]; then
	say "the users of the containers cannot read these files; run chmod -R o+rX deploy in the checkout:" $unreadable
	exit 1
fi

root() { MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --host=mysql --user=root "$@"; }
if ! error=$(root --execute 'SELECT 1' 2>&1); then
	case $error in
	*1045*) say "MYSQL_ROOT_PASSWORD of .env is not the one with which MySQL was first started, which stays until its volume is deleted" ;;
	*) say "$error" ;;
	esac
	exit 1
fi

own() { # user, password, databases...
	user=$1 password=$2
	shift 2
	echo "CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '$password'; ALTER USER '$user'@'%' IDENTIFIED BY '$password';"
	for database in "$@"; do
		echo "CREATE DATABASE IF NOT EXISTS $database CHARACTER SET utf8mb4; GRANT ALL PRIVILEGES ON $database.* TO '$user'@'%';"
	done
}
{
	own relay "$MYSQL_PASSWORD" relay
	own temporal "$TEMPORAL_MYSQL_PASSWORD" temporal temporal_visibility
} | root

#!/bin/bash
# nc -z HOST PORT, which Debian's busybox lacks: succeeds if the port is open.
exec 3<>"/dev/tcp/$2/$3"

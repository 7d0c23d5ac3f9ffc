// Package realtest runs the built program against real servers. Its tests say what popsync
// promises to people: every message, byte for byte, once.
//
// What the tests share stands here as plain functions, since the crash trials (internal/crash)
// use it outside of a test: servers that are started out of a temporary folder on free ports of
// loopback, messages that are nasty and can be made again, the count of what lies in a Maildir,
// a relay that counts commands, and the program as a child that can be measured and killed.
//
// Another server is added by a type that is a [Server] and a line in [Products]; tests with much
// mail run against [Servers]. Servers that cannot be installed beside each other run from unpacked
// packages (servers.sh), each in a root of its own.
package realtest

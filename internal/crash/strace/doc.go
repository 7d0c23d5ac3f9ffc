// Package strace runs a program under strace(1) and reads what that writes.
//
//	err := strace.Command{Data: true}.Wrap(cmd, "strace.log")
//	… run cmd …
//	log, err := strace.ReadFile("strace.log", cmd.Dir)
//	for _, op := range log.Ops { … }
//
// The log has the calls of all threads and children, in the order in which they returned. What two
// lines tell of one call is joined, descriptors have the paths of their files.
package strace

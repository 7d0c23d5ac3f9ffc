// Package durable changes files and folders so that the change survives a power cut.
//
// A file's content is durable after its fsync, and its name only after an fsync of the folder
// that holds the name (fsync(2)). An fsync that fails once has failed: the kernel may have
// thrown the data away, and a second one that succeeds proves nothing. So no function here
// tries again, and after an error of any of them the caller must take the change for lost.
package durable

// Package shell is bash for a simulated node. It carries out programs parsed by mvdan.cc/sh/v3/syntax, with the
// expansions of mvdan.cc/sh/v3/expand, on the processes, descriptors, pipes, signals and files of a guest.Machine.
//
// Nothing it does reaches the host: commands are found in the node's filesystem and run as the node's processes, file
// names are matched there, and descriptors are the node's. (The interpreter of mvdan.cc/sh/v3/interp is not used: it
// works on descriptors 0 to 2, pipes, process numbers and, outside Unix, path rules of the host.)
package shell

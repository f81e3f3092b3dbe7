// Package sim is a provider of simulated machines: a rehearsal for people who have no hypervisor, the place for faults,
// and the place for a thousand nodes.
//
// It is frozen. It models what podium's own scripts, the built-in labs and the commands of README.md enter, and it only
// shrinks: no feature of podium may need a new program, option or kind of object here. A step that cannot be rehearsed
// says so. What can run on real machines is proven there (scripts/e2e), not here. What a model does not have is refused
// loudly: "command not found", "unrecognized option", "not simulated: ...". scripts/bench/simulator.sh shows how much of
// it is entered; TestFrozen keeps it from growing.
//
// A background process of podium's own hosts the lab's nodes until they are destroyed (Serve). Each node is an SSH and
// SFTP server on loopback with a filesystem in memory (package vfs), processes, users and a network (package guest), a
// shell that interprets the real scripts (package shell), and models of the commands that the scripts use (the other
// packages below this one). No file, process or network of the computer it runs on can be reached from a node.
//
// What goes wrong, and how long things take, is told by a file, sim.yaml: see Scenario.
package sim

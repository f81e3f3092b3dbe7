// Package sim is a provider of simulated machines: for whoever has no hypervisor, for rehearsals, for tests, and for
// a thousand nodes.
//
// A background process of podium's own hosts the lab's nodes until they are destroyed (Serve). Each node is an SSH and
// SFTP server on loopback with a filesystem in memory (package vfs), processes, users and a network (package guest), a
// shell that interprets the real scripts (package shell), and models of the commands that the scripts use (the other
// packages below this one). No file, process or network of the computer it runs on can be reached from a node.
//
// What goes wrong, and how long things take, is told by a file, sim.yaml: see Scenario.
package sim

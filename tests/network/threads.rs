pub fn fork_child() {}

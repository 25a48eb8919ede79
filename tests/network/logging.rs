pub fn leaks_child() {}

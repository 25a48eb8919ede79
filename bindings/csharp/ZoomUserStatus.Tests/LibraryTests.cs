using ZoomUserStatus;

/// <summary>The native library is missing, elsewhere, or another one. Each in a process of its own.</summary>
public sealed class LibraryTests : IDisposable
{
    private readonly Scratch _scratch = new Scratch();

    public LibraryTests()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("the names and search paths are Linux's");
        foreach (string file in new[] { "UpdateStatus.dll", "UpdateStatus.runtimeconfig.json", "ZoomUserStatus.dll" })
            File.Copy(Path.Combine(AppContext.BaseDirectory, file), _scratch.File(file));
    }

    public void Dispose() => _scratch.Dispose();

    private static string Library => Path.Combine(AppContext.BaseDirectory, "libzus.so");

    private Task<Programs.Ended> Run(params (string Name, string Value)[] variables)
    {
        Dictionary<string, string?> all = Programs.Variables(Sandbox.Shared);
        foreach ((string name, string value) in variables) all[name] = value;
        return Programs.Run(Programs.Dotnet, [_scratch.File("UpdateStatus.dll"), "ada@example.com", "activate"], all);
    }

    private async Task Compile(string code)
    {
        if (!Programs.Exists("cc")) Assert.Skip("no C compiler for another libzus.so");
        Programs.Ended cc = await Programs.Run("cc", ["-shared", "-fPIC", "-o", _scratch.File("libzus.so"), "-x", "c", "-"], input: code);
        Assert.True(cc.Status == 0, cc.All);
    }

    /// <summary>One paragraph for people, on the stream for errors.</summary>
    private static string Said(Programs.Ended ended)
    {
        Assert.Equal(2, ended.Status);
        Assert.Equal("", ended.Output);
        string text = ended.Error.TrimEnd('\n');
        Assert.DoesNotContain('\n', text);
        return text;
    }

    [Fact]
    public async Task Without_it_one_paragraph_says_where_it_was_looked_for()
    {
        string text = Said(await Run());
        Assert.Contains("was not found: there is no usable libzus.so or libzus.so.0 in " + _scratch.Path, text);
        Assert.Contains("LD_LIBRARY_PATH", text);
        Assert.Contains("linux-x64", text);
        Assert.InRange(text.Length, 100, 700);
    }

    [Fact]
    public async Task The_name_with_the_abi_number_alone_is_found()
    {
        File.Copy(Library, _scratch.File("libzus.so.0"));
        Programs.Ended ended = await Run();
        Assert.Equal((0, "HTTP 204\n", ""), (ended.Status, ended.Output, ended.Error));
    }

    [Fact]
    public async Task It_is_found_on_the_library_path()
    {
        using var elsewhere = new Scratch();
        File.Copy(Library, elsewhere.File("libzus.so.0"));
        Assert.Equal(0, (await Run(("LD_LIBRARY_PATH", elsewhere.Path))).Status);
    }

    [Fact]
    public async Task ZUS_LIBRARY_names_it()
    {
        File.Copy(Library, _scratch.File("other-name.so"));
        Assert.Equal(0, (await Run(("ZUS_LIBRARY", _scratch.File("other-name.so")))).Status);
        string text = Said(await Run(("ZUS_LIBRARY", "/no/such/libzus.so")));
        Assert.Contains("could not be loaded from /no/such/libzus.so, which the environment variable ZUS_LIBRARY names", text);
    }

    [Fact]
    public async Task Why_it_cannot_be_loaded_is_said()
    {
        await File.WriteAllTextAsync(_scratch.File("libzus.so"), "not a library");
        Assert.Contains("The system said: " + _scratch.File("libzus.so") + ": ", Said(await Run()));
    }

    [Fact]
    public async Task Another_abi_is_refused()
    {
        await Compile("const char *zus_version(void) { return \"9.9.9\"; } int zus_abi_version(void) { return 7; }");
        Assert.StartsWith("The native library that was loaded, libzus 9.9.9, has ABI number 7, but this ZoomUserStatus needs 0.", Said(await Run()));
    }

    [Fact]
    public async Task A_library_of_that_name_only_is_refused()
    {
        await Compile("int something_else;");
        Assert.Contains("is not libzus: it has no function zus_abi_version", Said(await Run()));
    }

    [Fact]
    public async Task An_older_one_that_lacks_a_function_is_refused_at_once()
    {
        await Compile("const char *zus_version(void) { return \"0.0.9\"; } int zus_abi_version(void) { return 0; }");
        Assert.StartsWith("The native library that was loaded, libzus 0.0.9, is older than this ZoomUserStatus", Said(await Run()));
    }

    /// <summary>docs/abi.md: a newer library of the same soname works.</summary>
    [Fact]
    public async Task A_newer_version_of_the_same_abi_is_accepted()
    {
        byte[] library = await File.ReadAllBytesAsync(Library);
        byte[] version = System.Text.Encoding.ASCII.GetBytes(ZoomUserStatusClient.LibraryVersion + "\0"), newer = "0.9.9\0"u8.ToArray();
        Assert.Equal(newer.Length, version.Length);
        int found = 0;
        for (int at = library.AsSpan().IndexOf(version); at >= 0; found++)
        {
            newer.CopyTo(library, at);
            int next = library.AsSpan(at + 1).IndexOf(version);
            at = next < 0 ? -1 : at + 1 + next;
        }
        Assert.InRange(found, 1, 10);
        await File.WriteAllBytesAsync(_scratch.File("libzus.so"), library);
        Programs.Ended ended = await Run();
        Assert.Equal((0, "HTTP 204\n"), (ended.Status, ended.Output));
    }
}

// `nupack pack X.nuspec BASEDIR OUT.nupkg` and `nupack check X.nupkg`, on NuGet's own client library.
// The check prints what NuGet makes of the package and ends with "N passed, N failed".
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;
using NuGet.Client;
using NuGet.ContentModel;
using NuGet.Frameworks;
using NuGet.Packaging;
using NuGet.RuntimeModel;

static class NuPack
{
    static int s_ok, s_bad;

    static void Check(string what, bool good, string found)
    {
        if (good) s_ok++; else s_bad++;
        Console.WriteLine($"{(good ? "ok  " : "FAIL")} {what}: {found}");
    }

    static int Main(string[] a)
    {
        if (a[0] == "pack")
        {
            // (nuspec, base dir, $property$ lookup, no empty folders, deterministic timestamps)
            var b = new PackageBuilder(a[1], Path.GetFullPath(a[2]), s => null, false, true);
            using var o = File.Create(a[3]);
            b.Save(o);
            Console.WriteLine($"packed {b.Id} {b.Version}: {b.Files.Count} files");
            return 0;
        }
        using var r = new PackageArchiveReader(a[1]);
        List<string> files = r.GetFiles().ToList();
        Console.WriteLine("# " + r.GetIdentity());

        var license = r.NuspecReader.GetLicenseMetadata();
        Check("license", license?.License == "MIT OR Apache-2.0" && files.Contains("LICENSE-MIT") && files.Contains("LICENSE-APACHE"), license?.License + " and both texts");
        string readme = r.NuspecReader.GetReadme() ?? "";
        Check("readme", files.Contains(readme), readme);

        // Which lib/ folder a project of each framework gets.
        var lib = r.GetLibItems().ToList();
        var reducer = new FrameworkReducer();
        foreach ((string tfm, string want) in new[] { ("net462", "netstandard2.0"), ("net48", "netstandard2.0"), ("netstandard2.0", "netstandard2.0"), ("netcoreapp3.1", "netstandard2.0"),
                                                      ("net6.0", "netstandard2.0"), ("net8.0", "net8.0"), ("net9.0", "net8.0"), ("net10.0", "net8.0"), ("net8.0-windows7.0", "net8.0") })
        {
            NuGetFramework near = reducer.GetNearest(NuGetFramework.Parse(tfm), lib.Select(g => g.TargetFramework));
            var items = near == null ? new List<string>() : lib.First(g => g.TargetFramework.Equals(near)).Items.Select(Path.GetFileName).OrderBy(x => x).ToList();
            Check("lib for " + tfm, near?.GetShortFolderName() == want && items.SequenceEqual(new[] { "ZoomUserStatus.dll", "ZoomUserStatus.pdb", "ZoomUserStatus.xml" }),
                near?.GetShortFolderName() + " " + string.Join(" ", items));
        }
        foreach (string tfm in new[] { "net462", "net48" })
        {
            NuGetFramework near = reducer.GetNearest(NuGetFramework.Parse(tfm), r.GetBuildItems().Select(g => g.TargetFramework));
            Check("targets for " + tfm, near != null && files.Contains("build/net461/ZoomUserStatus.targets"), near?.GetShortFolderName() ?? "none");
        }
        using (Stream targets = r.GetStream("build/net461/ZoomUserStatus.targets"))
            Check("targets leave a RuntimeIdentifier to NuGet", XDocument.Load(targets).Descendants("ItemGroup").All(g => (string)g.Attribute("Condition") == "'$(RuntimeIdentifier)' == ''"), "every ItemGroup");
        Check("no targets for net8.0", reducer.GetNearest(NuGetFramework.Parse("net8.0"), r.GetBuildItems().Select(g => g.TargetFramework)) == null, "it reads runtimes/ itself");

        // The native files, as restore sees them.
        string[] known = { "win-x64/zus.dll", "win-x86/zus.dll", "linux-x64/libzus.so", "linux-arm64/libzus.so", "linux-musl-x64/libzus.so", "osx-arm64/libzus.dylib", "osx-x64/libzus.dylib" };
        var col = new ContentItemCollection();
        col.Load(files);
        var groups = new List<ContentItemGroup>();
        col.PopulateItemGroups(new ManagedCodeConventions(RuntimeGraph.Empty).Patterns.NativeLibraries, groups);
        foreach (ContentItemGroup g in groups)
            foreach (ContentItem i in g.Items)
                Check("native for " + g.Properties["rid"], known.Contains(g.Properties["rid"] + "/" + Path.GetFileName(i.Path)), i.Path);
        int native = groups.Sum(g => g.Items.Count), inRuntimes = files.Count(f => f.StartsWith("runtimes/"));
        Check("all of runtimes/ is native", native > 0 && native == inRuntimes, native + " of " + inRuntimes);
        Check("nothing else", files.All(f => f.StartsWith("lib/") || f.StartsWith("runtimes/") || f.StartsWith("build/") || f.StartsWith("buildTransitive/") || f.StartsWith("package/") ||
            f.StartsWith("_rels/") || f is "README.md" or "LICENSE-MIT" or "LICENSE-APACHE" or "ZoomUserStatus.nuspec" or "[Content_Types].xml" or ".signature.p7s"), files.Count + " files");
        Console.WriteLine($"{s_ok} passed, {s_bad} failed, 0 skipped");
        return s_bad == 0 ? 0 : 1;
    }
}

-- Supabase Storage: who may reach which object. Does nothing where there is no storage schema.
--
-- A user reads the own folder in every bucket of ours, and writes only below the own folder of
-- `images`. The contract's two policies are replaced by name: its upload policy let every user
-- write into everybody's folder.

do $$
declare
  own_folder constant text := '(storage.foldername(name))[1] = (select auth.uid())::text';
  own_image text := format('bucket_id = ''images'' and %s', own_folder);
begin
  if to_regclass('storage.buckets') is not null then
    begin
      insert into storage.buckets (id, name)
      select wanted, wanted from unnest(array['images', 'outputs', 'reports', 'models', 'exports']) as wanted
      on conflict do nothing;
    exception when insufficient_privilege or undefined_column or not_null_violation then
      raise warning 'the buckets images, outputs, reports, models, exports were not created (%): create them as private buckets', sqlerrm;
    end;
  end if;

  if to_regclass('storage.objects') is not null then
    begin
      perform forgeos.set_policy('storage.objects', 'Users can upload images', 'insert', 'authenticated',
        format('with check (%s)', own_image));
      perform forgeos.set_policy('storage.objects', 'Users can replace own images', 'update', 'authenticated',
        format('using (%s) with check (%s)', own_image, own_image));
      perform forgeos.set_policy('storage.objects', 'Users can delete own images', 'delete', 'authenticated',
        format('using (%s)', own_image));
      perform forgeos.set_policy('storage.objects', 'Users can read own files', 'select', 'authenticated',
        format($rule$using (bucket_id in ('images', 'outputs', 'reports', 'models', 'exports') and %s)$rule$, own_folder));
    exception when insufficient_privilege then
      raise warning 'the policies on storage.objects were not set (%): run this file as a role that may, or set them in the dashboard', sqlerrm;
    end;
    -- The worker looks an image id up in storage.objects.
    begin
      perform forgeos.grant_to('forgeos_worker', 'usage on schema storage');
      perform forgeos.grant_to('forgeos_worker', 'select on table storage.objects');
      perform forgeos.set_policy('storage.objects', 'forgeos_worker_reads_objects', 'select', 'forgeos_worker', 'using (true)');
    exception when insufficient_privilege then
      raise warning 'forgeos_worker may not read storage.objects (%): run the worker as another role, or grant it', sqlerrm;
    end;
  end if;
end
$$;
